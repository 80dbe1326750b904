"""Where the numbers of a page come from: what each cell of a notebook asked for, recorded while it runs."""
