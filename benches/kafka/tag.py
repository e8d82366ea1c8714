"""Tags articles from Kafka with confluent-kafka and scikit-learn: tag.py BROKERS INPUT OUTPUT GROUP.

What one would write without Rasid: term counts and two multinomial naive Bayes models (topic and
stance), trained at start on the repository's own examples. It reads and scores whole batches, since
scikit-learn is slow on single texts.
"""

import json
import pathlib
import signal
import sys

from confluent_kafka import Consumer, Producer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB

brokers, source, target, group = sys.argv[1:5]
examples = pathlib.Path(__file__).resolve().parents[2] / "models" / "examples"
lines = [json.loads(line) for path in sorted(examples.glob("*/*.jsonl")) for line in path.open(encoding="utf-8")]
terms = CountVectorizer(min_df=2)
counts = terms.fit_transform(line.get("title", "") + " " + line["text"] for line in lines)


def learn(label):
    rows = [row for row, line in enumerate(lines) if label(line)]
    return MultinomialNB(alpha=0.1).fit(counts[rows], [label(lines[row]) for row in rows])


topic = learn(lambda line: (line.get("topics") or [None])[0])
stance = learn(lambda line: line.get("stance"))

running = True


def stop(*_):
    global running
    running = False


signal.signal(signal.SIGTERM, stop)
consumer = Consumer({
    "bootstrap.servers": brokers,
    "group.id": group,
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "fetch.queue.backoff.ms": 2,
})
producer = Producer({
    "bootstrap.servers": brokers,
    "acks": "all",
    "linger.ms": 5,
    "enable.idempotence": True,
    # as the others: a key stays in its partition
    "partitioner": "murmur2_random",
})
consumer.subscribe([source])
while running:
    batch = [message for message in consumer.consume(500, 0.1) if not message.error()]
    if not batch:
        continue
    articles = [json.loads(message.value()) for message in batch]
    rows = terms.transform(article.get("title", "") + " " + article["text"] for article in articles)
    topics, stances = topic.predict_proba(rows), stance.predict_proba(rows)
    for at, message in enumerate(batch):
        best, attitude = topics[at].argmax(), stances[at].argmax()
        record = {
            "id": articles[at]["id"],
            "topics": [{"code": topic.classes_[best], "confidence": round(float(topics[at, best]), 4)}],
            "stance": {"label": stance.classes_[attitude], "confidence": round(float(stances[at, attitude]), 4)},
            "article": articles[at],
        }
        producer.produce(target, json.dumps(record, ensure_ascii=False).encode(), message.key())
    producer.flush()
    consumer.commit(asynchronous=False)
consumer.close()
