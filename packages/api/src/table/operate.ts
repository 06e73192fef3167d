import { limits } from '@sekali/core/limits'
import { wholeNumber } from '@sekali/core/whole-number'
import * as v from 'valibot'
import { defineRoute } from '../route.ts'
import { exampleStats, Stats } from '../schemas/figures.ts'
import { Diagnosis, Readiness } from '../schemas/health.ts'
import { Topic, TopicPattern } from '../schemas/text.ts'

export const dropTopic = defineRoute({
  id: 'dropTopic',
  method: 'DELETE',
  path: '/topics/:topic',
  scope: 'admin',
  tag: 'operate',
  summary: 'Forget a topic that has no event',
  description: 'Its figures go with it, and it no longer counts towards the topics that there may be.',
  request: { path: { topic: { schema: Topic, description: 'Its name.', example: 'orders.eu.padi' } } },
  answers: [
    {
      status: 200,
      description: 'It is gone.',
      mediaType: 'application/json',
      schema: v.object({ status: v.literal('dropped'), topic: Topic }),
      example: { status: 'dropped', topic: 'orders.eu.padi' },
    },
  ],
  problems: ['unknown_topic', 'topic_in_use', 'broker_unavailable', 'store_unavailable'],
})

export const readStats = defineRoute({
  id: 'readStats',
  method: 'GET',
  path: '/stats',
  scope: 'read',
  tag: 'operate',
  summary: 'Figures of all topics',
  description:
    'Of each topic and in total: accepted = stored + duplicates + conflicts + dead + lost + in_flight. What cannot be known now is null.',
  request: {
    query: {
      topic: {
        schema: v.optional(TopicPattern),
        description: 'Only this topic, or those of a pattern.',
        example: 'orders.>',
      },
      limit: {
        schema: wholeNumber(1, limits.pageSizeMax, limits.pageSizeMax),
        description: 'At most so many topics.',
        example: '100',
      },
      after: {
        schema: v.optional(Topic),
        description: 'Topics whose names come behind this one.',
        example: 'orders.eu.paid',
      },
    },
  },
  answers: [
    {
      status: 200,
      description: 'The figures. A page that follows another is of the same moment, for 5 s.',
      mediaType: 'application/json',
      schema: Stats,
      example: exampleStats,
      headers: { Link: 'sometimes' },
    },
  ],
  problems: ['invalid_parameters'],
})

export const runDoctor = defineRoute({
  id: 'runDoctor',
  method: 'GET',
  path: '/doctor',
  scope: 'admin',
  tag: 'operate',
  summary: 'Find what is wrong',
  description: 'Examines Redis, PostgreSQL, clocks, consumers, lag and projections. No finding has a secret.',
  request: {},
  answers: [
    {
      status: 200,
      description: 'What was found, each with its remedy.',
      mediaType: 'application/json',
      schema: Diagnosis,
      example: {
        status: 'problem',
        findings: [
          {
            check: 'redis.appendfsync',
            level: 'problem',
            message: 'everysec: a crash can lose the last second',
            remedy: 'CONFIG SET appendfsync always',
          },
        ],
      },
    },
  ],
  problems: [],
})

export const readHealth = defineRoute({
  id: 'readHealth',
  method: 'GET',
  path: '/healthz',
  scope: 'none',
  tag: 'operate',
  summary: 'Whether the process is alive',
  description: 'Nothing else is checked: a restart would not cure what it depends on.',
  request: {},
  answers: [
    {
      status: 200,
      description: 'It is.',
      mediaType: 'application/json',
      schema: v.object({ status: v.literal('ok') }),
      example: { status: 'ok' },
    },
  ],
  problems: [],
})

export const describeApi = defineRoute({
  id: 'describeApi',
  method: 'GET',
  path: '/openapi.json',
  scope: 'none',
  tag: 'operate',
  summary: 'The description of this API, in OpenAPI 3.1',
  description:
    'OpenAPI 3.1. It changes only with the version of the gateway, and may be kept if its ETag is asked for.',
  request: {
    headers: {
      'If-None-Match': {
        schema: v.string(),
        description: 'The ETag of the description that is known.',
        example: '"Jd2yHu0Nqo0"',
      },
    },
  },
  answers: [
    {
      status: 200,
      description: 'The description.',
      mediaType: 'application/json',
      schema: v.record(v.string(), v.unknown()),
      example: { openapi: '3.1.0', info: { title: 'Sekali', version: '0.1.0' }, paths: {} },
      headers: { ETag: 'always' },
    },
    { status: 304, description: 'It has not changed.', headers: { ETag: 'always' } },
  ],
  problems: [],
})

const ready = {
  scope: 'none',
  tag: 'operate',
  request: {},
  problems: [],
} as const

const theReadiness = {
  mediaType: 'application/json',
  schema: Readiness,
} as const

const readinessAnswers = [
  {
    ...theReadiness,
    status: 200,
    description: 'It can.',
    example: { status: 'ready', broker: 'ok', store: 'ok', problems: [], warnings: [] },
  },
  {
    ...theReadiness,
    status: 503,
    description: 'It cannot, or is about to leave.',
    example: {
      status: 'not_ready',
      broker: 'unavailable',
      store: 'ok',
      problems: ['Redis is away (ECONNREFUSED): start it'],
      warnings: [],
    },
  },
] as const

export const readReadiness = defineRoute({
  ...ready,
  id: 'readReadiness',
  method: 'GET',
  path: '/readyz',
  summary: 'Whether it can take events',
  description:
    'Redis alone decides: publishing goes on while PostgreSQL is away, which is among the warnings.',
  answers: readinessAnswers,
})

// HAProxy checks with OPTIONS unless it is told otherwise, and takes any 2xx for a yes.
const asOptions = {
  ...ready,
  method: 'OPTIONS',
  summary: 'Whether it can take events, as HAProxy asks',
  description: 'As `GET /readyz`, for proxies that check with OPTIONS.',
  answers: [
    { ...readinessAnswers[0], headers: { Allow: 'always' } },
    { ...readinessAnswers[1], headers: { Allow: 'always' } },
  ],
} as const

export const checkRoot = defineRoute({ ...asOptions, id: 'checkRoot', path: '/' })
export const checkReadiness = defineRoute({ ...asOptions, id: 'checkReadiness', path: '/readyz' })
