//! The model file: any bytes are a model or an error in words, and what is a model tags. The checksum is not
//! compared in a build for fuzzing, or nothing behind it would ever be reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rasid_fuzz::model::{Classifier, Document, Model};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(classifier) = Classifier::from_bytes(bytes) {
        for text in ["The striker scored in the cup final.", "سجل المهاجم هدفا في نهائي الكأس"]
        {
            classifier.classify(&mut Document::default(), &["Final", text], true);
        }
    }
    if let Ok(model) = Model::from_bytes(bytes) {
        let again = model.to_bytes().expect("what was read can be written");
        let read = Model::from_bytes(&again).expect("what was written can be read");
        // a number that is none equals nothing, itself included
        assert!(read == model || format!("{read:?}") == format!("{model:?}"));
    }
});
