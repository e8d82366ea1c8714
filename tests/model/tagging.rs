//! What the model answers: as the exact scorer, per language, toward a name, in the article's own spelling.

use super::*;

/// Tagging takes a shorter way than training: words are packed many letters at a time, remembered, and
/// weighed in whole numbers. Here both ways are gone for every example.
#[test]
fn tagging_gives_what_the_exact_scorer_gives() {
    let model = Model::from_bytes(&bundled()).unwrap();
    let classifier = Classifier::bundled().unwrap();
    let scorers: std::collections::BTreeMap<_, _> = (model.heads.iter())
        .map(|(key, head)| {
            let labels = head.counts.labels();
            (*key, Scorer::new(&head.counts.terms, &head.weights, labels, head.terms))
        })
        .collect();
    let mut document = Document::default();
    let (mut count, mut others, mut furthest) = (0, 0, 0f32);
    for example in read_examples(&example_paths()).unwrap().iter().filter(|example| !example.keywords) {
        let pieces = [&*example.title, &*example.text];
        document.read(&pieces);
        let tags = classifier.classify(&mut Document::default(), &pieces, false);
        let language = document.language().unwrap();
        assert_eq!(tags.language, language.code());
        for task in Task::ALL {
            let fast = classifier.predict(&document, task, &[]).unwrap();
            let exact = scorers[&(language, task)].score(&document);
            assert_eq!((fast.score.known, fast.score.total), (exact.known, exact.total), "{}", example.place);
            let exact = model.heads[&(language, task)].calibration.probabilities(&exact, &[]);
            let differences = fast.probabilities.iter().zip(&exact).map(|(a, b)| (a - b).abs());
            furthest = differences.fold(furthest, f32::max);
            others += usize::from(rasid::model::argmax(&exact) != fast.best);
            count += 1;
            // the same sums, whichever way the words were read
            match task {
                Task::Topic => {
                    let expected = (!fast.abstained).then_some(fast.probabilities[fast.best]);
                    let found = tags.topics.iter().map(|topic| topic.confidence).reduce(f32::max);
                    assert!(fast.abstained || found == expected, "{}: {found:?} {expected:?}", example.place);
                    assert_eq!((tags.terms.known, tags.terms.total), (fast.score.known, fast.score.total));
                }
                Task::Stance => {
                    let confidence = tags.stance.as_ref().unwrap().confidence;
                    assert_eq!(confidence, fast.probabilities[fast.best], "{}", example.place);
                }
            }
        }
    }
    println!("{others} of {count} answers differ; probabilities by at most {furthest}");
    assert!(others * 1000 <= count, "{others} of {count} answers differ from the exact scorer's");
    assert!(furthest < 0.005, "a probability is off by {furthest}");
}

/// Words that only stand between quotation marks are somebody's, and weigh half.
#[test]
fn what_is_quoted_is_not_the_articles_own() {
    let classifier = Classifier::bundled().unwrap();
    let own =
        "The minister's reckless, shameful and corrupt plan betrayed honest voters, a disgraceful failure.";
    let quoted = format!("\u{201c}{own}\u{201d}");
    let against = |text: &str| {
        let mut document = Document::default();
        document.read(&[text]);
        let prediction = classifier.predict(&document, Task::Stance, &[]).unwrap();
        let tags = classifier.classify(&mut Document::default(), &[text], false);
        let column = labels(Task::Stance).iter().position(|label| label.code == "against").unwrap();
        // the fast way and the simple one agree
        assert_eq!(tags.stance.unwrap().confidence, prediction.probabilities[prediction.best]);
        prediction.probabilities[column]
    };
    assert!(against(own) > 0.5 && against(&quoted) < against(own), "{} {}", against(own), against(&quoted));
}

#[test]
fn stance_toward_a_watched_name_is_that_of_its_sentences() {
    let classifier = Classifier::bundled().unwrap();
    let list = "[targets]\nSmith = []\n\"أحمد سالم\" = [\"سالم\"]\nNobody = []";
    let watch = rasid::model::WatchList::parse("watch.toml", list).unwrap();
    let text = "Critics slammed Smith as corrupt, dishonest and incompetent, and accused him of lying to voters. \
                Separately, the museum opened at nine on Monday, and the tickets cost four euros.";
    let targets = classifier.targets(&mut Document::default(), &[text], &watch);
    assert_eq!(targets.len(), 1);
    assert_eq!((&*targets[0].name, targets[0].mentions, targets[0].label), ("Smith", 1, "against"));
    let text = "أشاد الخبراء بسالم ووصفوا إنجازه الرائع بأنه نجاح باهر وخطوة شجاعة تستحق التقدير والثناء. وفي خبر آخر عُقد اجتماع.";
    let targets = classifier.targets(&mut Document::default(), &["عنوان", text], &watch);
    assert_eq!((&*targets[0].name, targets[0].label), ("أحمد سالم", "favor"));
}

/// Dialect and names in Latin letters say nothing of the topic.
#[test]
fn dialect_and_loan_names_flip_no_topic() {
    let classifier = Classifier::bundled().unwrap();
    let (mut flipped, mut count) = (Vec::new(), 0);
    for example in read_examples(&[root().join("models/examples/ar")]).unwrap() {
        let first = |text: &str| {
            let tags = classifier.classify(&mut Document::default(), &[&example.title, text], false);
            tags.topics.first().map(|topic| topic.code.clone())
        };
        if example.topics.len() != 1 || !example.id.ends_with("7") {
            continue;
        }
        let mixed = format!(
            "يا جماعة شو صار امبارح؟ مش عارفين ليش هيك، بس برضه قالوا كده وخلاص. Ahmed Ali, John Smith, Sarah Lee. {}",
            example.text
        );
        count += 1;
        if first(&example.text) != first(&mixed) {
            flipped.push(example.id.clone());
        }
    }
    assert!(count > 200 && flipped.len() * 50 <= count, "{} of {count}: {flipped:?}", flipped.len());
}

#[test]
fn only_arabic_and_english_are_tagged() {
    let classifier = Classifier::bundled().unwrap();
    let mut document = Document::default();
    for text in [
        "دولت ایران روز سه‌شنبه اعلام کرد که انتخابات مجلس در ماه آینده برگزار خواهد شد و نامزدها باید ثبت نام کنند",
        "وزیراعظم نے کہا ہے کہ حکومت مہنگائی پر قابو پانے کے لیے نئے اقدامات کر رہی ہے اور عوام کو ریلیف دیا جائے گا",
        "Le ministre a déclaré que le gouvernement présenterait une nouvelle loi sur la santé avant la fin de l'année",
        "Der Minister sagte am Dienstag, dass die Regierung noch in diesem Jahr ein neues Gesetz vorlegen werde",
    ] {
        let tags = classifier.classify(&mut document, &[text], false);
        assert_eq!(tags.language, "und", "{text}");
        assert!(tags.topics.is_empty() && tags.stance.is_none());
    }
}

/// 200 sentences of ours in Persian, Urdu, French and Turkish.
#[test]
fn other_languages_are_left_alone() {
    let sentences = include_str!("../data/other-languages.jsonl");
    let (mut count, mut tagged) = (0, Vec::new());
    for line in sentences.lines() {
        let sentence: serde_json::Value = serde_json::from_str(line).unwrap();
        count += 1;
        if Document::of(&[sentence["text"].as_str().unwrap()]).language().is_some() {
            tagged.push(sentence);
        }
    }
    assert_eq!(count, 200);
    assert!(tagged.len() * 100 <= 2 * count, "{} of {count} taken for ours: {tagged:?}", tagged.len());
}

#[test]
fn explanations_are_in_the_articles_own_spelling() {
    let classifier = Classifier::bundled().unwrap();
    let text = "سجّل المهاجمُ هدفينِ في المباراة النهائية للبطولة وفاز الفريق بركلات الترجيح على الملعب الأولمبي";
    let tags = classifier.classify(&mut Document::default(), &[text], true);
    assert_eq!(&**tags.topics[0].code, "medtop:15000000");
    assert!(!tags.explain.is_empty());
    for term in &tags.explain {
        assert!(text.contains(&*term.term) && term.weight > 0.0, "{term:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_tagged_without_panic(text in any::<String>()) {
        thread_local! {
            static CLASSIFIER: Classifier = Classifier::bundled().unwrap();
        }
        CLASSIFIER.with(|classifier| {
            let tags = classifier.classify(&mut Document::default(), &[&text, &text], true);
            assert!(tags.topics.iter().all(|topic| (0.0..=1.0).contains(&topic.confidence)));
        });
    }
}
