"""Attach the results of a load test to the version that was served."""

from lsh.project import PROJECT
from mesh.lifecycle.load_results import upload_results_program

main = upload_results_program(PROJECT)

if __name__ == "__main__":
    main()
