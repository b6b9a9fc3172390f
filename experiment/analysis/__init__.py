"""The registered analysis: models, tests, figures and the page that tells what the data say."""
