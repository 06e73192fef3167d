import { audit } from './audit/audit.tsx'
import { docs } from './docs/docs.tsx'
import { event } from './event.tsx'
import { keyList } from './keys/list.tsx'
import { keyMaker } from './keys/make.tsx'
import { keyView } from './keys/show.tsx'
import { letterList } from './letters/list.tsx'
import { letterView } from './letters/show.tsx'
import { operationList } from './operations/list.tsx'
import { operationView } from './operations/show.tsx'
import { overview } from './overview.tsx'
import { projectionList } from './projections/list.tsx'
import { projectionView } from './projections/show.tsx'
import { publish } from './publish.tsx'
import { search } from './search.tsx'
import { subscriptionList } from './subscriptions/list.tsx'
import { subscriptionView } from './subscriptions/show.tsx'
import { topic } from './topic.tsx'
import { topics } from './topics.tsx'
import type { View } from './view.ts'

/** All views, one a line; those with an entry are in the navigation, in this order. The first that fits is shown. */
export const views: readonly View[] = [
  overview, //
  topics,
  topic,
  search,
  event,
  publish,
  projectionList,
  projectionView,
  subscriptionList,
  subscriptionView,
  letterList,
  letterView,
  operationList,
  operationView,
  keyList,
  keyMaker,
  keyView,
  audit,
  docs,
]
