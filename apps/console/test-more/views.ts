/** What is behind `#/` of each view, on a system that has the event `order-1` of `orders.eu.paid`. */
export const viewPaths: Readonly<Record<string, string>> = {
  overview: '',
  topics: 'topics',
  topic: 'topics/orders.eu.paid',
  search: 'search?topic=orders.%3E',
  'search that fails': 'search?topic=!',
  event: 'events/orders.eu.paid/order-1',
  'no event': 'events/orders.eu.paid/none',
  publish: 'publish',
  'no view': 'nowhere',
}
