"""Attach the results of a load test to the version that was served."""

from mesh.lifecycle.load_results import upload_results_program
from sentiment.project import PROJECT

main = upload_results_program(PROJECT)

if __name__ == "__main__":
    main()
