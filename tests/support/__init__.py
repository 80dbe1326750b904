"""What several tests build: products and services, spoilt input, scenes, stores, drawings."""
