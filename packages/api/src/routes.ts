/**
 * The one table of routes. The router, the Allow header, what a key must be allowed to do and the words of the door all
 * come of it. The gateway adds a handler to each.
 */
import type { RouteSpec } from './route.ts'

export type { RouteSpec } from './route.ts'

export const routes = [
  { id: 'publish', method: 'POST', path: '/publish', scope: 'publish', summary: 'Publish events' },
  { id: 'readEvents', method: 'GET', path: '/events', scope: 'read', summary: 'Query or replay events' },
  {
    id: 'tailEvents',
    method: 'GET',
    path: '/tail',
    scope: 'read',
    summary: 'Follow events as they are stored',
  },
  {
    id: 'findEvent',
    method: 'GET',
    path: '/events/:topic',
    scope: 'read',
    summary: 'Find an event by an id that a path cannot have',
  },
  {
    id: 'readEvent',
    method: 'GET',
    path: '/events/:topic/:event_id',
    scope: 'read',
    summary: 'Find an event by its id',
  },
  {
    id: 'dropTopic',
    method: 'DELETE',
    path: '/topics/:topic',
    scope: 'admin',
    summary: 'Forget a topic that has no event',
  },
  { id: 'readStats', method: 'GET', path: '/stats', scope: 'read', summary: 'Figures of all topics' },
  { id: 'runDoctor', method: 'GET', path: '/doctor', scope: 'admin', summary: 'Find what is wrong' },
  {
    id: 'listProjections',
    method: 'GET',
    path: '/projections',
    scope: 'read',
    summary: 'List projections and how they are',
  },
  {
    id: 'readProjection',
    method: 'GET',
    path: '/projections/:name',
    scope: 'read',
    summary: 'Read the state of a projection',
  },
  {
    id: 'readProjectionKey',
    method: 'GET',
    path: '/projections/:name/:key{[^]+}',
    scope: 'read',
    summary: 'Read the state of one key of a projection',
  },
  {
    id: 'dropProjection',
    method: 'DELETE',
    path: '/projections/:name',
    scope: 'admin',
    summary: 'Forget a projection that nobody folds any more',
  },
  {
    id: 'rebuildProjection',
    method: 'POST',
    path: '/projections/:name/rebuild',
    scope: 'admin',
    summary: 'Fold a projection anew',
  },
  {
    id: 'readHealth',
    method: 'GET',
    path: '/healthz',
    scope: 'none',
    summary: 'Whether the process is alive',
  },
  {
    id: 'readReadiness',
    method: 'GET',
    path: '/readyz',
    scope: 'none',
    summary: 'Whether it can take events',
  },
  // HAProxy checks with OPTIONS unless it is told otherwise, and takes any 2xx for a yes.
  { id: 'checkRoot', method: 'OPTIONS', path: '/', scope: 'none', summary: 'The same, as HAProxy asks' },
  {
    id: 'checkReadiness',
    method: 'OPTIONS',
    path: '/readyz',
    scope: 'none',
    summary: 'The same, as HAProxy asks',
  },
] as const satisfies readonly RouteSpec[]

export type RouteId = (typeof routes)[number]['id']
