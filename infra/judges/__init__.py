"""Other people's opinions of the template, asked offline: cfn-lint, cdk-nag, checkov. What is let pass has a reason."""
