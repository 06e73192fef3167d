import type { Projection } from '../define.ts'
import { activity } from './activity.ts'
import { latest } from './latest.ts'

/** The projections that are there without anybody defining one. */
export const builtIn: readonly Projection[] = [activity as Projection, latest as Projection]
