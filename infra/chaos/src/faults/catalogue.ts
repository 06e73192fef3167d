import type { Fault } from '../fault.ts'
import { abuses } from './abuse.ts'
import { disconnects } from './disconnect.ts'
import { dispatcherFaults } from './dispatchers.ts'
import { failpoints } from './failpoints.ts'
import { keyFaults } from './keys.ts'
import { letterFaults } from './letters.ts'
import { load } from './load.ts'
import { losses } from './losses.ts'
import { network } from './network.ts'
import { postgresFaults } from './postgres.ts'
import { pressureFaults } from './pressure.ts'
import {
  killConsumer,
  killConsumers,
  killGateway,
  pauseConsumer,
  powerCut,
  rollingRestart,
} from './processes.ts'
import { projectorFaults } from './projector.ts'
import { receiverFaults } from './receivers.ts'
import { redisFaults } from './redis.ts'
import { replies } from './replies.ts'
import { restore } from './restore.ts'
import { workerFaults } from './workers.ts'

/** Every fault, by name. */
export const catalogue: ReadonlyMap<string, Fault> = new Map(
  [
    killConsumer,
    killConsumers,
    killGateway,
    pauseConsumer,
    rollingRestart,
    powerCut,
    ...failpoints,
    ...projectorFaults,
    ...replies,
    ...redisFaults,
    ...losses,
    restore,
    ...postgresFaults,
    ...network,
    ...disconnects,
    ...load,
    ...pressureFaults,
    ...keyFaults,
    ...letterFaults,
    ...workerFaults,
    ...dispatcherFaults,
    ...receiverFaults,
    ...abuses,
  ].map((fault) => [fault.name, fault]),
)
