"""The peer of the benchmark of encoders: `transformers.Trainer` for token classification.

Run in a process of its own; writes answers to the test rows and prints one JSON line.
"""

import json
import os
import sys
import time

import torch
from datasets import Dataset
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

IGNORED = -100


class Clock(TrainerCallback):
    """The seconds between the first step and the last, without what comes before and after."""

    def on_train_begin(self, *args, **kwargs):
        self.started = time.perf_counter()

    def on_train_end(self, *args, **kwargs):
        self.seconds = time.perf_counter() - self.started


def read(path: str) -> list[dict]:
    return [json.loads(line) for line in open(path, encoding="utf-8")]  # noqa: SIM115


def main(model: str, folder: str, target: str, budget: dict) -> None:
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    train, test = read(f"{folder}/train.jsonl"), read(f"{folder}/test.jsonl")
    tags = sorted({tag for row in train for tag in row["tags"]})
    tokenizer = AutoTokenizer.from_pretrained(model)

    def encoded(rows: list[dict]) -> tuple[Dataset, list[list[int | None]]]:
        """Rows to the peer, and where each word's first piece is; some words have none."""
        found = tokenizer([row["tokens"] for row in rows], is_split_into_words=True)
        firsts, labels = [], []
        for i, row in enumerate(rows):
            pieces = found.word_ids(i)
            words = range(len(row["tokens"]))
            firsts.append([pieces.index(word) if word in pieces else None for word in words])
            labels.append([IGNORED] * len(pieces))
            for at, tag in zip(firsts[-1], row["tags"], strict=True):
                if at is not None and tag in tags:
                    labels[-1][at] = tags.index(tag)
        return Dataset.from_dict({**found, "labels": labels}), firsts

    set_seed(budget["seed"])  # the head is drawn before the trainer sets it
    clock = Clock()
    trainer = Trainer(
        model=AutoModelForTokenClassification.from_pretrained(
            model,
            id2label=dict(enumerate(tags)),
            label2id={tag: i for i, tag in enumerate(tags)},
            dtype=torch.float32,
        ),
        args=TrainingArguments(
            output_dir=f"{folder}/peer",
            learning_rate=budget["rate"],
            lr_scheduler_type="linear",
            warmup_steps=0.1,
            per_device_train_batch_size=budget["batch"],
            num_train_epochs=budget["epochs"],
            seed=budget["seed"],
            bf16=budget["dtype"] == "bfloat16",
            logging_steps=50,
            save_strategy="no",
            use_cpu=True,
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=encoded(train)[0],
        data_collator=DataCollatorForTokenClassification(tokenizer),
        processing_class=tokenizer,
        callbacks=[clock],
    )
    trainer.train()
    held_out, firsts = encoded(test)
    scores = trainer.predict(held_out).predictions
    with open(target, "w", encoding="utf-8") as out:
        for row, words, told in zip(test, firsts, scores.argmax(-1), strict=True):
            found = ["O" if at is None else tags[told[at]] for at in words]
            out.write(json.dumps({**row, "sample": 0, "prediction": found}) + "\n")
    rows = len(train) * budget["epochs"]
    print(json.dumps({"rows_per_second": rows / clock.seconds, "seconds": clock.seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:4], json.loads(sys.argv[4]))
