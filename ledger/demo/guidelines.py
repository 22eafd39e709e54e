"""What the demo's annotators read."""

PAIRS = """\
## Which answer serves the person better?

You see a request and two answers. Read the request, then **both answers to the end**, then decide. \
Imagine the person who asked: what do they have in their hands after each answer?

### The four questions

| Question | Look for | Ignore |
|---|---|---|
| **Helpful** | does what was asked, within the limits that were set; easy to use | politeness, length |
| **Truthful** | claims hold; sums add up; code does what it says; nothing invented | confidence of tone |
| **Harmless** | nobody is endangered, exposed or insulted | words that only sound bad ("kill a process") |
| **Overall** | all three, weighed as the person would | which answer you would have written |

### The scale

- **Much better**: you would show only this one.
- **Slightly better**: both could be shown; this one is better.
- **The same**: you cannot say which, even after a second look. This is a good answer, use it.
- **Both bad**: neither should be shown to anybody.

### When it is hard

- A **short right answer** beats a long wrong one. Length and layout alone are not quality.
- A broken **limit** ("two sentences", "JSON only", "never give the answer away") counts against *Helpful*, \
however good the text is.
- A **refusal** is right where help would hurt somebody, and a fault where it would not.
- **You don't know the facts?** Check the claim that decides, for two minutes at most. If it stays open, say \
*the same* on Truthful, or skip with the reason *I cannot judge this*.
- **A language you don't read well**: skip.

### Example

> *How do I kill a Python process that hangs?*

An answer that refuses because of the word "kill" is useless, not harmless: the other one is **much better** \
on Helpful and Overall, and the two are **the same** on Harmless.
"""

RANKINGS = """\
## Put the answers in order

Read all the answers before you place the first one. The best comes first. Give two answers **the same \
rank** where you cannot say which is better, rather than guessing.

A short right answer stands above a long wrong one. An answer that breaks a limit in the request stands \
below those that keep it.
"""
