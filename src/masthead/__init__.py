"""Pages the people on call, through PagerDuty, from Spinnaker pipelines."""

__version__ = "0.1.0"
