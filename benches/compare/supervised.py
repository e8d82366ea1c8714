#!/usr/bin/env python3
"""What scikit-learn's naive Bayes reaches with the labels of the evaluation sets: five folds, words, and words and pairs.

For comparison with models/supervised.sh. Needs scikit-learn.
    python3 benches/compare/supervised.py        RASID_EVAL: the folder of the sets (default ../shared/eval)
"""

import json
import os
import pathlib

import numpy
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import ComplementNB, MultinomialNB

sets = pathlib.Path(os.environ.get("RASID_EVAL", "../shared/eval"))
print("| set | terms | classifier | accuracy |\n|---|---|---|---|")
for name in ("topic-ar-sanad", "topic-ar-ant"):
    articles = [json.loads(line) for line in (sets / f"{name}.jsonl").open()]
    texts = [f"{article.get('title') or ''} {article['text']}" for article in articles]
    topics = numpy.array([article["topic"] for article in articles])
    for terms, longest in (("words", 1), ("words and pairs", 2)):
        counts = CountVectorizer(ngram_range=(1, longest)).fit_transform(texts)
        for classifier in (MultinomialNB(alpha=0.1), ComplementNB(alpha=1.0)):
            folds = StratifiedKFold(5, shuffle=True, random_state=0)
            right = (cross_val_predict(classifier, counts, topics, cv=folds) == topics).mean()
            print(f"| {name} | {terms} | {type(classifier).__name__} | {100 * right:.1f} |", flush=True)
