import { limits } from '@sekali/core/limits'
import { wholeNumber } from '@sekali/core/whole-number'
import * as v from 'valibot'
import { defineRoute } from '../route.ts'
import { ProjectionKey, ProjectionName, ProjectionStates, ProjectionStatus } from '../schemas/projection.ts'
import { TrueOrFalse } from '../schemas/text.ts'

const name = {
  schema: ProjectionName,
  description: 'The name of a projection.',
  example: 'orders-by-customer',
} as const

const as_of = {
  schema: v.optional(TrueOrFalse),
  description:
    'Whether `as_of` is wanted. Without it, it is left out where there are more than 1,000 topics.',
  example: 'true',
} as const

const ifNoneMatch = {
  'If-None-Match': {
    schema: v.string(),
    description: 'The ETag of the state that is known.',
    example: 'W/"12.7-live"',
  },
} as const

const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

const unchanged = {
  status: 304,
  description: 'The state has not changed.',
  headers: { ETag: 'always', Link: 'sometimes' },
} as const

export const listProjections = defineRoute({
  id: 'listProjections',
  method: 'GET',
  path: '/projections',
  scope: 'read',
  tag: 'projections',
  summary: 'List projections and how they are',
  description: 'Behind them come the files of definitions that do not load.',
  request: { query: { as_of } },
  answers: [
    {
      status: 200,
      description: 'All of them, by name.',
      mediaType: 'application/json',
      schema: v.array(ProjectionStatus),
      example: [
        {
          name: 'orders-by-customer',
          version: 1,
          status: 'live',
          keyed: true,
          as_of: { 'orders.eu.paid': 2 },
          lag: 0,
        },
      ],
    },
  ],
  problems: ['invalid_parameters', 'store_unavailable'],
})

export const readProjection = defineRoute({
  id: 'readProjection',
  method: 'GET',
  path: '/projections/:name',
  scope: 'read',
  tag: 'projections',
  summary: 'Read the state of a projection',
  description:
    'Of one with keys a page of states, in the order of the bytes of their keys. With `key` it is as `/projections/{name}/{key}`. `as_of` and the state are of one moment.',
  request: {
    path: { name },
    query: {
      limit: {
        schema: wholeNumber(1, limits.pageSizeMax, limits.pageSizeDefault),
        description: 'At most so many keys.',
        example: '100',
      },
      after: {
        schema: v.optional(v.pipe(v.string(), v.check(isStorable, 'must be a key')), ''),
        description: 'Keys behind this one.',
        example: 'c-16',
      },
      as_of,
      key: {
        schema: v.optional(v.string()),
        description:
          'The one key, also one that a path cannot have: `.` and `..`. Without `limit` and `after`.',
        example: 'c-17',
      },
    },
    headers: ifNoneMatch,
  },
  answers: [
    {
      status: 200,
      description: 'The state, or a page of states; with `key` that of the key.',
      mediaType: 'application/json',
      schema: v.union([ProjectionStates, ProjectionKey]),
      example: {
        name: 'orders-by-customer',
        version: 1,
        status: 'live',
        as_of: { 'orders.eu.paid': 2 },
        keys: [{ key: 'c-17', state: { orders: 2 } }],
      },
      headers: { ETag: 'always', Link: 'sometimes' },
    },
    unchanged,
  ],
  problems: ['unknown_projection', 'unknown_key', 'invalid_parameters', 'store_unavailable'],
})

export const readProjectionKey = defineRoute({
  id: 'readProjectionKey',
  method: 'GET',
  path: '/projections/:name/:key{[^]+}',
  scope: 'read',
  tag: 'projections',
  summary: 'Read the state of one key of a projection',
  description: 'The key may have slashes. `as_of` and the state are of one moment.',
  request: {
    path: { name, key: { schema: v.string(), description: 'The key.', example: 'c-17' } },
    query: { as_of },
    headers: ifNoneMatch,
  },
  answers: [
    {
      status: 200,
      description: 'The state.',
      mediaType: 'application/json',
      schema: ProjectionKey,
      example: {
        name: 'orders-by-customer',
        key: 'c-17',
        as_of: { 'orders.eu.paid': 2 },
        state: { orders: 2 },
      },
      headers: { ETag: 'always' },
    },
    unchanged,
  ],
  problems: ['unknown_projection', 'unknown_key', 'invalid_parameters', 'store_unavailable'],
})

export const dropProjection = defineRoute({
  id: 'dropProjection',
  method: 'DELETE',
  path: '/projections/:name',
  scope: 'admin',
  tag: 'projections',
  summary: 'Forget a projection that nobody folds any more',
  description: 'It can be dropped a minute after the last projector has had its definition.',
  request: { path: { name } },
  answers: [
    {
      status: 200,
      description: 'It is gone.',
      mediaType: 'application/json',
      schema: v.object({ status: v.literal('dropped'), name: ProjectionName }),
      example: { status: 'dropped', name: 'orders-by-customer' },
    },
  ],
  problems: ['unknown_projection', 'projection_in_use', 'store_unavailable'],
})

export const rebuildProjection = defineRoute({
  id: 'rebuildProjection',
  method: 'POST',
  path: '/projections/:name/rebuild',
  scope: 'admin',
  tag: 'projections',
  summary: 'Fold a projection anew',
  description: 'From the first event on, beside the live one, which it then replaces.',
  request: { path: { name } },
  answers: [
    {
      status: 202,
      description: 'It is being built.',
      mediaType: 'application/json',
      schema: v.object({ status: v.literal('building'), name: ProjectionName }),
      example: { status: 'building', name: 'orders-by-customer' },
      headers: { Location: 'always' },
    },
  ],
  problems: ['unknown_projection', 'store_unavailable'],
})
