import { defineProjection } from '@sekali/projection/define'

const centsOf = (total: unknown) => (typeof total === 'number' ? Math.round(total * 100) : Number.NaN)

/**
 * What each customer has paid. In cents, because sums of decimals drift: 0.1 + 0.2 is not 0.3. A
 * customer may buy in several regions, and there is no order between topics: `last` is the greatest, not the latest folded.
 * GET /projections/customer-totals/c-17 answers {"state":{"orders":2,"cents":2500,"last":"2025-12-08T10:00:00.000000Z"}, …}
 */
export const customerTotals = defineProjection({
  name: 'customer-totals',
  topics: 'orders.*.paid',
  initial: { orders: 0, cents: 0, last: '' },
  // What throws stops the projection: an order without a customer or a sum is passed over instead.
  key({ payload: { customer, total } }) {
    const name = String(customer ?? '')
    return /^\P{C}{1,100}$/u.test(name) && Number.isSafeInteger(centsOf(total)) ? name : undefined
  },
  apply({ orders, cents, last }, { payload, timestamp }) {
    const isLater = timestamp > last
    return { orders: orders + 1, cents: cents + centsOf(payload.total), last: isLater ? timestamp : last }
  },
})
