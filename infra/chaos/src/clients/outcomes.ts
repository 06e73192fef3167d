/**
 * What an entry can come to: the figure that counts it, the status of its receipt, and what a publisher who waits is
 * answered. The judge's own list, of which figures, bounds and receipts follow: an outcome that the product forgets to
 * count must not be forgotten here too.
 */
export const outcomes = {
  stored: { status: 'stored', answer: '200 stored', hasSeq: true },
  duplicates: { status: 'duplicate', answer: '200 duplicate', hasSeq: true },
  conflicts: { status: 'conflict', answer: '409 conflict', hasSeq: true },
  dead: { status: 'dead', answer: '422 dead_event', hasSeq: false },
  lost: { status: 'lost', answer: '503 event_lost', hasSeq: false },
} as const

export type OutcomeName = keyof typeof outcomes

export const outcomeNames = Object.keys(outcomes) as readonly OutcomeName[]
