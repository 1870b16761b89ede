"""QCIC, the quantitative cancer-immunity cycle (10.1038/s41540-025-00513-1)."""
