import { event } from './event.tsx'
import { overview } from './overview.tsx'
import { publish } from './publish.tsx'
import { search } from './search.tsx'
import { topic } from './topic.tsx'
import { topics } from './topics.tsx'
import type { View } from './view.ts'

/** All views, one a line; those with an entry are in the navigation, in this order. */
export const views: readonly View[] = [
  overview, //
  topics,
  topic,
  search,
  event,
  publish,
]
