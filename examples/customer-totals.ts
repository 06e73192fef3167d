import { defineProjection } from '@sekali/projection'

const centsOf = (total: unknown) => (typeof total === 'number' ? Math.round(total * 100) : Number.NaN)
// Anything may be in a payload, and to make a string of {"toString":1} throws.
const nameOf = (value: unknown) =>
  ['string', 'number', 'bigint'].includes(typeof value) ? String(value) : ''

/**
 * What each customer has paid. In cents, because sums of decimals drift: 0.1 + 0.2 is not 0.3; and with BigInt,
 * because those of doubles do so, too, beyond 2^53. A customer may buy in several regions, and there is no order between
 * topics: `last` is the greatest, not the latest folded.
 * GET /projections/customer-totals/c-17 answers {"state":{"orders":2,"cents":2500,"last":"2025-12-08T10:00:00.000000Z"}, …}
 */
export const customerTotals = defineProjection({
  name: 'customer-totals',
  topics: 'orders.*.paid',
  initial: { orders: 0, cents: 0n, last: '' },
  // What throws stops the projection: an order without a customer or a sum is passed over instead.
  key({ payload: { customer, total } }) {
    const name = nameOf(customer)
    return /^\P{C}{1,100}$/u.test(name) && Number.isSafeInteger(centsOf(total)) ? name : undefined
  },
  apply({ orders, cents, last }, { payload, timestamp }) {
    const isLater = timestamp > last
    const sum = BigInt(cents) + BigInt(centsOf(payload.total)) // a small sum is read back as a number
    return { orders: orders + 1, cents: sum, last: isLater ? timestamp : last }
  },
})
