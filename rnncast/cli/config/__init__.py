"""Options that nobody typed: from the environment, from a file, and where each came from.

======================  ================================================================
`sources`               what stands in for flags in this call, and where it stands
`settings`              an option as the environment and a file name it; its values
`environment`           the one place
`file`, `keys`          the other, and what stands in it
`settle`                both looked up for one call
`command`               a command that takes its options from flags and these
`shown`                 what ``--show-config`` prints
======================  ================================================================
"""
