"""The peer of the training benchmark: TRL's SFTTrainer in its best CPU setting.

Run in a process of its own; prints one JSON line with tokens a second and peak memory.
"""

import json
import resource
import sys
import time

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer


def main(model: str, data: str, steps: int, dtype: str) -> None:
    rows = [json.loads(line) for line in open(data, encoding="utf-8")]  # noqa: SIM115
    tokenizer = AutoTokenizer.from_pretrained(model)
    dataset = Dataset.from_list(
        [{"prompt": row["messages"][:-1], "completion": row["messages"][-1:]} for row in rows]
    )
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
        args=SFTConfig(
            output_dir="/tmp/peer",
            per_device_train_batch_size=8,
            max_steps=steps,
            bf16=dtype == "bfloat16",
            gradient_checkpointing=False,
            max_length=2048,
            logging_steps=1,
            save_strategy="no",
            use_cpu=True,
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=dataset,
        processing_class=tokenizer,
    )
    started = time.perf_counter()
    result = trainer.train()
    seconds = time.perf_counter() - started
    tokens = trainer.state.log_history[-2].get("num_tokens", trainer.state.num_input_tokens_seen)
    print(
        json.dumps(
            {
                "tokens_per_second": tokens / seconds,
                "tokens": tokens,
                "seconds": seconds,
                "loss": result.training_loss,
                "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
