"""What a DAG costs: the work of its nodes, its critical path, Get_Time."""
