"""Completion in the shell: a script made from the declared options, so that pressing Tab starts no Python.

=====================  ==================================
`words`                what is completed, for any shell
`bash`, `zsh`, `fish`  the same as a script of that shell
=====================  ==================================
"""
