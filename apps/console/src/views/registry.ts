import { overview } from './overview.tsx'
import type { View } from './view.ts'

/** All views; those with an entry are in the navigation, in this order. */
export const views: readonly View[] = [overview]
