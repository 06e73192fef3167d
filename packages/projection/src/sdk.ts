// The package '@sekali/projection', inside the clone and from npm.
export { defineProjection, type Json, type Projection, type ProjectionEvent } from './define.ts'
