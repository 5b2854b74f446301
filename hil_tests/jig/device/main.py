"""The jig's program, which runs until a Ctrl-C gives the prompt back (device)."""

import jig_verbs

jig_verbs.run()
