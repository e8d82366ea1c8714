//! Adapting to an outlet without labels.

use super::*;

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
