import { defineProjection } from '@sekali/projection'

/**
 * For a dashboard: how many orders were placed, and paid, in each minute of the orders' own time. The keys are in order,
 * so the last hour is one request: GET /projections/orders-per-minute?after=2025-12-08T09:00Z&limit=60
 */
export const ordersPerMinute = defineProjection({
  name: 'orders-per-minute',
  topics: ['orders.*.placed', 'orders.*.paid'],
  initial: { placed: 0, paid: 0 },
  key: ({ timestamp }) => `${timestamp.slice(0, 16)}Z`,
  apply: ({ placed, paid }, { topic }) =>
    topic.endsWith('.paid') ? { placed, paid: paid + 1 } : { placed: placed + 1, paid },
})
