//! Training gives the committed model, and a damaged file is refused.

use super::*;

#[test]
fn training_twice_gives_the_committed_model() {
    let examples = read_examples(&example_paths()).unwrap();
    let trained = || {
        let model = train(&examples, &Plan::new("rasid-news", env!("CARGO_PKG_VERSION")), &()).unwrap();
        model.to_bytes().unwrap()
    };
    let (first, second) = (trained(), trained());
    assert!(first == second, "two runs differ");
    assert!(
        first == bundled(),
        "models/rasid-news.safetensors is not what the examples give: train it again"
    );
}

#[test]
fn the_examples_are_enough_and_balanced() {
    let examples = read_examples(&example_paths()).unwrap();
    for language in Language::ALL {
        let of = |task: Task, code: &str| {
            let folder = format!("examples/{}/", language.code());
            let mine = examples.iter().filter(|e| e.place.contains(&folder));
            mine.filter(|example| example.labels(task).first().is_some_and(|label| label == code)).count()
        };
        for (task, least) in [(Task::Topic, 150), (Task::Stance, 400)] {
            let all = labels(task);
            let counts: Vec<usize> = all.iter().map(|label| of(task, &label.code)).collect();
            for (label, count) in all.iter().zip(&counts) {
                assert!(*count >= least, "{} {}: {count}", language.code(), label.name);
            }
            let (most, fewest) = (counts.iter().max().unwrap(), counts.iter().min().unwrap());
            assert!(most * 2 <= fewest * 5, "{} {}: {counts:?}", language.code(), task.name());
        }
    }
    for example in examples.iter().filter(|example| !example.keywords) {
        let expected = if example.place.contains("/ar/") { Language::Arabic } else { Language::English };
        let found = Document::of(&[&example.title, &example.text]).language();
        assert_eq!(found, Some(expected), "{}", example.place);
    }
}

/// Complement weights by linfa's own joint log-likelihood, against the compiled scorer, on the examples.
#[test]
fn the_compiled_scorer_agrees_with_linfa() {
    use linfa::ParamGuard;
    use linfa::traits::Fit;
    use linfa_bayes::{MultinomialNbParams, NaiveBayes};
    let path = root().join("models/examples/ar/15-sport.jsonl");
    let other = root().join("models/examples/ar/07-health.jsonl");
    let documents: Vec<(Document, usize)> = [path, other]
        .iter()
        .enumerate()
        .flat_map(|(label, path)| {
            let examples = read_examples(std::slice::from_ref(path)).unwrap();
            examples.into_iter().map(move |e| (Document::of(&[&e.title, &e.text]), label)).collect::<Vec<_>>()
        })
        .collect();
    let terms = Terms { pairs: true, function_words: false, half_quotes: false };
    let mut counts = Counts::new(2);
    for (document, label) in &documents {
        counts.add(document, terms, &[(*label, rasid::model::UNIT)]);
    }
    let counts = counts.sorted();
    let fitting = Fitting { method: Method::Multinomial, smoothing: 0.5, min_texts: 1, balanced: false };
    let weights = fit(&counts, fitting).unwrap();
    let scorer = Scorer::new(&counts.terms, &weights, 2, terms);
    // linfa on all rows, not on the sums that Rasid gives it
    let columns: std::collections::HashMap<u64, usize> =
        counts.terms.iter().enumerate().map(|(column, term)| (rasid::text::term_key(term), column)).collect();
    let mut rows = ndarray::Array2::<f64>::zeros((documents.len(), counts.terms.len()));
    for (row, (document, _)) in documents.iter().enumerate() {
        document.terms(terms, |key, _, _| rows[[row, columns[&key]]] += 1.0);
    }
    let targets = ndarray::Array1::from_iter(documents.iter().map(|(_, label)| *label));
    let params = MultinomialNbParams::new().alpha(0.5).check().unwrap();
    let model = {
        let _quiet = gag::Gag::stderr();
        params.fit(&linfa::Dataset::new(rows.clone(), targets.clone())).unwrap()
    };
    let likelihood = model.joint_log_likelihood(rows.view());
    let prior = |label: usize| {
        let of = targets.iter().filter(|target| **target == label).count();
        (of as f64 / targets.len() as f64).ln()
    };
    for (row, (document, _)) in documents.iter().enumerate() {
        let ours = scorer.score(document).evidence;
        let theirs = [0, 1].map(|label| likelihood[&label][row] - prior(label));
        let difference = f64::from(ours[0] - ours[1]) - (theirs[0] - theirs[1]);
        assert!(difference.abs() < 1e-2 * document.stems.len() as f64 / 50.0, "document {row}: {difference}");
    }
}

/// A few texts of two topics and two stances, in one language or the other, some in one event.
fn some_examples(seed: &[(u8, u8, u8)], first: usize) -> Vec<rasid::model::Example> {
    let words = ["match", "goal", "cup", "bank", "rate", "market", "virus", "doctor", "vote", "court"];
    let arabic = ["مباراة", "هدف", "كأس", "مصرف", "فائدة", "سوق", "فيروس", "طبيب", "تصويت", "محكمة"];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("some.jsonl");
    let lines: Vec<String> = (seed.iter().enumerate())
        .map(|(i, (a, b, c))| {
            let (language, list) = if c % 3 == 0 { ("ar", arabic) } else { ("en", words) };
            let of = |n: u8| list[usize::from(n) % 10];
            let text = format!("{} {} {} {}, {}", of(*a), of(*b), of(*c), of(a.wrapping_add(*b)), of(b ^ c));
            let mut line = serde_json::json!({
                "id": format!("{}", first + i), "title": of(*c), "text": text, "lang": language,
            });
            if a % 4 < 3 {
                let topic = ["medtop:15000000", "medtop:04000000"][usize::from(b % 2)];
                line["topics"] = serde_json::json!([topic]);
                if c % 5 == 0 {
                    line["topics"].as_array_mut().unwrap().push("medtop:07000000".into());
                }
            } else {
                line["stance"] = ["favor", "against"][usize::from(b % 2)].into();
            }
            if b % 4 == 0 {
                line["event"] = format!("e{}", c % 7).into();
            }
            line.to_string()
        })
        .collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    read_examples(&[path]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Old and then new is old and new at once, in either order and through the file, to the byte.
    #[test]
    fn training_goes_on_exactly(
        old in prop::collection::vec(any::<(u8, u8, u8)>(), 1..60),
        new in prop::collection::vec(any::<(u8, u8, u8)>(), 1..60),
    ) {
        let (old, new) = (some_examples(&old, 0), some_examples(&new, 1000));
        let plan = Plan::new("m", "1");
        let both: Vec<_> = old.iter().chain(&new).cloned().collect();
        let Ok(at_once) = train(&both, &plan, &()) else { return Ok(()) };
        let at_once = at_once.to_bytes().unwrap();
        let tally = |examples: &[rasid::model::Example]| Tallies::of(examples, &plan);
        let bytes = |tallies: Tallies| tallies.finish("m", "1", &()).unwrap().to_bytes().unwrap();
        prop_assert!(bytes(tally(&old).with(tally(&new)).unwrap()) == at_once, "old and new");
        prop_assert!(bytes(tally(&new).with(tally(&old)).unwrap()) == at_once, "new and old");
        // through files, where each part can be trained alone
        if let (Ok(old), Ok(new_model)) = (train(&old, &plan, &()), train(&new, &plan, &())) {
            let stored = |model: &Model| {
                let model = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
                Tallies::of_model(&model).unwrap()
            };
            let from = stored(&old);
            let more = Tallies::of(&new, &from.plan("m", "1"));
            prop_assert!(bytes(from.with(more).unwrap()) == at_once, "--from");
            prop_assert!(bytes(stored(&new_model).with(stored(&old)).unwrap()) == at_once, "merge");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_model_file_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut bytes = bundled();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let error = Model::from_bytes(&bytes).unwrap_err().to_string();
        prop_assert!(error.starts_with("model file: ") && error.len() > 30, "{}", error);
    }

    #[test]
    fn a_cut_model_file_is_refused(at in any::<prop::sample::Index>()) {
        let bytes = bundled();
        let error = Model::from_bytes(&bytes[..at.index(bytes.len())]).unwrap_err().to_string();
        prop_assert!(error.contains("cut short"), "{}", error);
    }

    #[test]
    fn a_model_file_with_more_behind_it_is_refused(more in prop::collection::vec(any::<u8>(), 1..100)) {
        let error = Model::from_bytes(&[bundled(), more].concat()).unwrap_err().to_string();
        prop_assert!(error.contains("more behind its end"), "{}", error);
    }
}
