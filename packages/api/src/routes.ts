/**
 * The one table of routes. The router, the Allow header, what a key must be allowed to do, the words of the door, the
 * description of the API and the help of the command line all come of it. The gateway adds a handler to each.
 */
import { readAsset, showConsole, showDocs, showIcon } from './table/console.ts'
import { beginEpochs } from './table/epochs.ts'
import { createKey, listKeys, readAudit, readKey, revokeKey, rotateKey } from './table/keys.ts'
import { discardLetter, listLetters, publishAs, readLetter } from './table/letters.ts'
import {
  checkReadiness,
  checkRoot,
  describeApi,
  dropTopic,
  readHealth,
  readReadiness,
  readStats,
  runDoctor,
  showTopic,
} from './table/operate.ts'
import { cancelOperation, listOperations, readOperation, redrive } from './table/operations.ts'
import {
  dropProjection,
  listProjections,
  readProjection,
  readProjectionKey,
  rebuildProjection,
} from './table/projections.ts'
import { publish } from './table/publish.ts'
import { deleteSecret, listAttempts, retryDelivery, rotateSecret, testEndpoint } from './table/push.ts'
import { readRates } from './table/rates.ts'
import { findEvent, readEvent, readEvents, tailEvents } from './table/read.ts'
import { logIn, logOut, readSession } from './table/session.ts'
import {
  deleteSubscription,
  listSubscriptions,
  pauseSubscription,
  putSubscription,
  readSubscription,
  resumeSubscription,
  seekSubscription,
} from './table/subscriptions.ts'
import { readTopicSettings, setTopicSettings } from './table/topics.ts'
import { pull, settle } from './table/work.ts'

export type { RouteSpec } from './route.ts'

export const routes = [
  publish,
  readEvents,
  tailEvents,
  findEvent,
  readEvent,
  showTopic,
  dropTopic,
  readTopicSettings,
  setTopicSettings,
  beginEpochs,
  readStats,
  readRates,
  runDoctor,
  describeApi,
  listProjections,
  readProjection,
  readProjectionKey,
  dropProjection,
  rebuildProjection,
  listSubscriptions,
  readSubscription,
  putSubscription,
  pull,
  settle,
  pauseSubscription,
  resumeSubscription,
  seekSubscription,
  deleteSubscription,
  testEndpoint,
  listAttempts,
  retryDelivery,
  rotateSecret,
  deleteSecret,
  createKey,
  listKeys,
  readKey,
  rotateKey,
  revokeKey,
  readAudit,
  listLetters,
  readLetter,
  redrive,
  discardLetter,
  publishAs,
  listOperations,
  readOperation,
  cancelOperation,
  logIn,
  readSession,
  logOut,
  showConsole,
  readAsset,
  showIcon,
  showDocs,
  readHealth,
  readReadiness,
  checkRoot,
  checkReadiness,
] as const

export type RouteId = (typeof routes)[number]['id']
