import { judge } from '../src/check/check.ts'
import type { Evidence } from '../src/check/evidence.ts'

export const violations = (evidence: Evidence) =>
  Object.fromEntries(
    judge(evidence).flatMap(({ promise, violation }) => (violation ? [[promise, violation]] : [])),
  )
