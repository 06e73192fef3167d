import { outcomeNames } from '@sekali/core/figures'

/** The outcomes that have a column of their name. Of stored events `head` is the number, since seqs have no gap. */
export const countedNames = outcomeNames.filter((name) => name !== 'stored')

/** The column of each outcome, in the order of their names. */
export const outcomeColumns: string = outcomeNames
  .map((name) => (name === 'stored' ? 'head' : name))
  .join(', ')
