"""The front desk: houses, stays, duties, rates, exports; rules stand in rules/ (host)."""
