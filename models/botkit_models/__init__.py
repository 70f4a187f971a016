"""Language models in the process: weights, tokenizer, decoder, engine."""
