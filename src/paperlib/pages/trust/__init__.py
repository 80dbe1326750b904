"""What the pages on trust show: where to believe a model, which validation tells the truth, how early a map can be made."""
