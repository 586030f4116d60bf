"""Times one function: python -m benchmarks.child ours|peers WORK N REPEATS."""

import json
import resource
import sys
import time
import warnings
from importlib import import_module


def main() -> None:
    """Run the work and print seconds, peak memory and result as JSON."""
    package, work, n, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    warnings.simplefilter("ignore")
    prepare = getattr(import_module(f"benchmarks.{package}"), work)
    run = prepare(n)
    seconds, result = [], {}
    for _ in range(repeats):
        start = time.process_time()
        found = run()
        seconds.append(time.process_time() - start)
        result = found() if callable(found) else found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "megabytes": peak, "result": result}))


if __name__ == "__main__":
    main()
