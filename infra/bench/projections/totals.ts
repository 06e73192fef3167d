import { defineProjection } from '@sekali/projection/define'

/** Orders and their amount by customer, of whom there are a thousand: what the row `projections` folds. */
export const totals = defineProjection({
  name: 'totals',
  topics: '>',
  initial: { orders: 0, amount: 0 },
  key: ({ payload }) => `c-${Number(payload.source_seq) % 1_000}`,
  apply: ({ orders, amount }, { payload }) => ({
    orders: orders + 1,
    amount: amount + Number(payload.amount),
  }),
})
