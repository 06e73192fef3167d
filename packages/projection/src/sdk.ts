// The package '@sekali/projection', inside the clone and from npm.
export { type AsRead, defineProjection, type Json, type Projection, type ProjectionEvent } from './define.ts'
export { type EventToFold, type FoldAllOptions, FoldStopped, foldAll } from './fold-all.ts'
