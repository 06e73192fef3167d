import { type Finding, ok, problem, unknown, warning } from '@sekali/core/finding'
import { fileAndLine, type NotLoaded } from '@sekali/core/not-loaded'
import type { ProjectionStatus, Skipped } from '@sekali/store/read-projections'
import { listed } from './findings.ts'

/** A projector folds what is stored within a second or two. */
const waitMsMax = 10_000

/**
 * `waits` is, by projection, how long the oldest event has waited to be folded. Undefined is what could not be read:
 * that PostgreSQL is away is another finding, and it may as well be slow. A finding names the event at which a projection is stuck, and leaves out the
 * message of the error.
 */
export function projectionFindings(
  projections: readonly ProjectionStatus[] | undefined,
  waits: ReadonlyMap<string, number> | undefined,
): Finding[] {
  if (projections === undefined || waits === undefined) {
    return [unknown('projections', 'how they are could not be read in time')]
  }
  const orphaned = projections.filter(({ status }) => status === 'orphaned').map(({ name }) => name)
  // Of one that nobody folds nothing else is found: each other remedy needs its definition.
  const folded = projections.filter(({ status }) => status !== 'orphaned')
  const late = folded.filter(({ name }) => (waits.get(name) ?? 0) > waitMsMax)
  return [
    failedFinding(folded),
    ...astrayFinding(folded),
    skippedFinding(folded),
    orphanedFinding(orphaned),
    lagFinding(late, waits),
  ]
}

/** Undefined is what could not be read, as above. */
export function definitionsFinding(files: readonly NotLoaded[] | undefined): Finding {
  const check = 'definitions.loaded'
  if (files === undefined) return unknown(check, 'could not be read in time')
  if (files.length === 0) return ok(check, 'no file is left out')
  return problem(
    check,
    `files of definitions do not load: ${listed(files.map(fileAndLine))}`,
    'sekali projection list shows why: mend the file, or take it away; it is read again by itself',
  )
}

function failedFinding(projections: readonly ProjectionStatus[]): Finding {
  const check = 'projections.failed'
  const stuck = projections.flatMap(({ name, error, rebuild }) => [
    ...(error === undefined ? [] : [`${name} at ${error.topic} seq ${error.seq}`]),
    ...(rebuild?.error === undefined
      ? []
      : [`the rebuild of ${name} at ${rebuild.error.topic} seq ${rebuild.error.seq}`]),
  ])
  if (stuck.length === 0) return ok(check, 'none')
  return problem(
    check,
    `stopped at an event that cannot be folded: ${listed(stuck)}`,
    'sekali projection list shows the error: correct the definition, which is then folded anew; or, if something else was wrong, sekali projection rebuild NAME',
  )
}

/** It is found only where there was such a restore. */
function astrayFinding(projections: readonly ProjectionStatus[]): Finding[] {
  const texts = projections.flatMap(({ name, astray }) => (astray ? [`${name} of ${listed(astray)}`] : []))
  if (texts.length === 0) return []
  const remedy =
    'it is folded anew by itself, and shows the former state until then: sekali projection list tells how far that is'
  return [
    warning(
      'projections.restored',
      `events are folded that a restore took out of the log: ${listed(texts)}`,
      remedy,
    ),
  ]
}

function skippedFinding(projections: readonly ProjectionStatus[]): Finding {
  const check = 'projections.skipped'
  const texts = projections.flatMap(({ name, skipped, rebuild }) => [
    ...(skipped === undefined ? [] : [skippedWords(name, skipped)]),
    ...(rebuild?.skipped === undefined ? [] : [skippedWords(`the rebuild of ${name}`, rebuild.skipped)]),
  ])
  if (texts.length === 0) return ok(check, 'none')
  return warning(
    check,
    `events could not be folded and are left out: ${listed(texts)}`,
    'sekali projection list shows the last error: let the definition fold such events, or pass them over in key; it is then folded anew',
  )
}

const skippedWords = (what: string, { count, last }: Skipped) =>
  `${what} ${count.toLocaleString('en-US')}, the last at ${last.topic} seq ${last.seq}`

function orphanedFinding(names: readonly string[]): Finding {
  const check = 'projections.orphaned'
  if (names.length === 0) return ok(check, 'none')
  return warning(
    check,
    `no projector has the definition of ${listed(names)}: the state stays as it is`,
    'start a projector with the folder that defines it (PROJECTIONS_DIR); if it is not wanted any more, sekali projection drop NAME',
  )
}

function lagFinding(late: readonly ProjectionStatus[], waits: ReadonlyMap<string, number>): Finding {
  const check = 'projections.lag'
  if (late.length === 0) return ok(check, 'none is far behind')
  const texts = late.map(({ name, lag }) => {
    const seconds = Math.round((waits.get(name) ?? 0) / 1_000)
    return `${name} has ${lag.toLocaleString('en-US')}, the oldest stored ${seconds} s ago`
  })
  return warning(
    check,
    `events wait to be folded: ${listed(texts)}`,
    'see the projectors’ logs; if they fold without a pause and fall behind, start more of them, or let the definition do less',
  )
}
