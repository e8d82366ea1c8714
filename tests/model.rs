//! The model that ships: made from the examples byte for byte, true to linfa, safe to load.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use rasid::model::{
    Classifier, Counts, Document, Fitting, Method, Model, Options, Plan, Scorer, Tallies, Task, Terms, adapt,
    fit, labels, read_examples, train,
};
use rasid::text::Language;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn bundled() -> Vec<u8> {
    std::fs::read(root().join("models/rasid-news.safetensors")).unwrap()
}

fn example_paths() -> Vec<PathBuf> {
    ["models/examples", "models/keywords"].map(|folder| root().join(folder)).to_vec()
}

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
    assert_eq!((&*targets[0].name, targets[0].mentions, &*targets[0].label), ("Smith", 1, "against"));
    let text = "أشاد الخبراء بسالم ووصفوا إنجازه الرائع بأنه نجاح باهر وخطوة شجاعة تستحق التقدير والثناء. وفي خبر آخر عُقد اجتماع.";
    let targets = classifier.targets(&mut Document::default(), &["عنوان", text], &watch);
    assert_eq!((&*targets[0].name, &*targets[0].label), ("أحمد سالم", "favor"));
}

/// An outlet of sub-fields that a model has not seen: every third second-level concept teaches
/// English, the others are unlabelled articles, every fifth of them is only asked about. Arabic teaches
/// whole, and no article is Arabic.
struct Simulated {
    model: Model,
    unlabelled: Vec<rasid::model::Example>,
    asked: Vec<rasid::model::Example>,
}

impl Simulated {
    fn new() -> Self {
        let examples = read_examples(&[root().join("models/examples")]).unwrap();
        let mut concepts = std::collections::BTreeMap::new();
        let (mut teach, mut outlet) = (Vec::new(), Vec::new());
        for example in examples.into_iter().filter(|example| !example.topics.is_empty()) {
            let group = example.event.clone().or(example.concept.clone()).unwrap_or_default();
            let next = concepts.len();
            let number = *concepts.entry(group).or_insert(next);
            let arabic = example.place.contains("/ar/");
            if arabic || number % 3 == 0 { teach.push(example) } else { outlet.push(example) }
        }
        let model = train(&teach, &Plan::new("small", "1"), &()).unwrap();
        let (mut asked, mut unlabelled) = (Vec::new(), Vec::new());
        for (number, example) in outlet.into_iter().enumerate() {
            if number % 5 == 0 { asked.push(example) } else { unlabelled.push(example) }
        }
        Self { model, unlabelled, asked }
    }

    fn documents(&self, has: impl Fn(&rasid::model::Example) -> bool) -> Vec<Document> {
        let of = |example: &rasid::model::Example| Document::of(&[&example.title, &example.text]);
        self.unlabelled.iter().filter(|example| has(example)).map(of).collect()
    }

    /// Share of the asked that `model` has right.
    fn right(&self, model: &Model) -> f64 {
        let classifier = Classifier::new(model.clone(), String::new()).unwrap();
        let is_right = |example: &&rasid::model::Example| {
            let document = Document::of(&[&example.title, &example.text]);
            let guess = classifier.predict(&document, Task::Topic, &[]).unwrap().best;
            example.topics.contains(&model.info.topics[guess].code)
        };
        self.asked.iter().filter(is_right).count() as f64 / self.asked.len() as f64
    }
}

#[test]
fn adapting_learns_the_outlet_and_leaves_the_rest_alone() {
    let simulated = Simulated::new();
    let (model, unlabelled) = (&simulated.model, simulated.documents(|_| true));
    let adapted = adapt(model, &unlabelled, Options::default(), &()).unwrap();
    let (before, after) = (simulated.right(model), simulated.right(&adapted));
    assert!(after >= before + 0.02, "{before} before, {after} after");
    let [done] = &adapted.info.adaptation[..] else { panic!("{:?}", adapted.info.adaptation) };
    assert!(done.language == Language::English && (2..=10).contains(&done.rounds), "{done:?}");
    assert!(done.changed > 0.0 && done.changed < done.expected_errors, "{done:?}");
    // far more rounds do not drift away
    let long = adapt(model, &unlabelled, Options { rounds: Some(30), ..Options::default() }, &()).unwrap();
    let later = simulated.right(&long);
    assert!(later > after - 0.01 && long.info.adaptation[0].rounds == 30, "{after}, {later} after 30 rounds");
    for (key, head) in &model.heads {
        if *key != (Language::English, Task::Topic) {
            assert!(adapted.heads[key] == *head, "{key:?} is not the outlet's");
        }
    }
    // the labelled counts are what they were; only rows without counts came in
    let [old, new] = [model, &adapted].map(|m| &m.heads[&(Language::English, Task::Topic)].counts);
    assert!(*old == new.clone().sorted());
    let bytes = adapted.to_bytes().unwrap();
    assert!(Model::from_bytes(&bytes).unwrap() == adapted);
    assert!(bytes == adapt(model, &unlabelled, Options::default(), &()).unwrap().to_bytes().unwrap());
    assert!(adapt(model, &unlabelled[..20], Options::default(), &()).is_err(), "20 articles teach nothing");
}

/// An outlet of sport alone, and a hundred articles: neither teaches that there are no other topics.
#[test]
fn one_topic_and_few_articles_break_no_model() {
    let simulated = Simulated::new();
    let sport = simulated.documents(|example| example.topics == ["medtop:15000000"]);
    assert!(sport.len() > 150, "{}", sport.len());
    let few: Vec<Document> = simulated.documents(|_| true).into_iter().take(100).collect();
    let before = simulated.right(&simulated.model);
    for articles in [&sport, &few] {
        let adapted = adapt(&simulated.model, articles, Options::default(), &()).unwrap();
        let after = simulated.right(&adapted);
        assert!(after >= before - 0.02, "{before} before, {after} after");
    }
    let adapted = adapt(&simulated.model, &sport, Options::default(), &()).unwrap();
    let topics = &adapted.info.adaptation[0].topics;
    let [sports, weather] =
        ["medtop:15000000", "medtop:17000000"].map(|code| topics.iter().find(|t| t.code == code).unwrap());
    assert!(2 * sports.after > sport.len() && !sports.is_absent() && !sports.is_drifted(), "{sports:?}");
    assert!(weather.is_absent(), "{weather:?}");
}

/// An outlet that has told its topics: no article is taken for another, and nothing that the model knew of
/// a term is lost where the outlet has no weight against it.
#[test]
fn an_outlet_of_told_topics_is_taken_for_no_other() {
    let simulated = Simulated::new();
    let model = &simulated.model;
    let desks = ["medtop:04000000", "medtop:11000000", "medtop:15000000"];
    let articles = simulated.documents(|example| desks.contains(&&*example.topics[0]));
    let among: Vec<bool> = model.info.topics.iter().map(|topic| desks.contains(&&*topic.code)).collect();
    let told = Options { among: &among, weight: 0.0, ..Options::default() };
    let adapted = adapt(model, &articles, told, &()).unwrap();
    let [done] = &adapted.info.adaptation[..] else { panic!("{:?}", adapted.info.adaptation) };
    assert_eq!(done.among, desks);
    let (others, own): (Vec<_>, Vec<_>) =
        done.topics.iter().partition(|topic| !desks.contains(&&*topic.code));
    assert!(others.iter().all(|topic| topic.before + topic.after == 0), "{others:?}");
    assert_eq!(own.iter().map(|topic| topic.after).sum::<usize>(), articles.len());
    let [old, new] = [model, &adapted].map(|model| &model.heads[&(Language::English, Task::Topic)]);
    let rows: std::collections::HashMap<&str, &[f32]> = (new.weights.rows.iter())
        .zip(new.weights.table.chunks(among.len()))
        .map(|(row, weights)| (&new.counts.terms[*row as usize], weights))
        .collect();
    let mut gains = 0;
    for (row, before) in old.weights.rows.iter().zip(old.weights.table.chunks(among.len())) {
        let term = &old.counts.terms[*row as usize];
        for (label, (before, after)) in before.iter().zip(rows[term]).enumerate() {
            let counted = old.counts.of(*row as usize)[label] > 0;
            assert!(!counted || after >= before, "{term}: {before} before, {after} after");
            gains += usize::from(after > before);
        }
    }
    assert!(gains > 1000, "{gains} weights grew");
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
    let sentences = include_str!("data/other-languages.jsonl");
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
    assert_eq!(&*tags.topics[0].code, "medtop:15000000");
    assert!(!tags.explain.is_empty());
    for term in &tags.explain {
        assert!(text.contains(&term.term) && term.weight > 0.0, "{term:?}");
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
