"""The ledger: what every rank of a deployment holds, computes and exchanges, without building its DAG."""
