import * as v from 'valibot'

const server = v.picklist(['ok', 'unfit', 'unavailable'])

export const Readiness = v.object({
  status: v.picklist(['ready', 'not_ready', 'draining']),
  broker: v.pipe(server, v.description('Redis.')),
  store: v.pipe(server, v.description('PostgreSQL.')),
  problems: v.pipe(v.array(v.string()), v.description('What keeps events from being taken, and the remedy.')),
  warnings: v.pipe(
    v.array(v.string()),
    v.description('What weakens a promise, or keeps events from being stored.'),
  ),
})

export const Diagnosis = v.object({
  status: v.pipe(v.picklist(['ok', 'warning', 'problem']), v.description('The worst level of all findings.')),
  findings: v.array(
    v.object({
      check: v.pipe(
        v.string(),
        v.description('What was looked at, such as `redis.appendfsync`. Match on it.'),
      ),
      level: v.picklist(['ok', 'warning', 'problem', 'unknown']),
      message: v.string(),
      remedy: v.optional(v.string()),
    }),
  ),
})
