/**
 * Loaded into a gateway that runs as a process (`node --import`): it holds every answer against the description of the
 * API, and prints what is wrong. Whoever started the process finds it there.
 */
import { Server } from 'node:http'
import { violationMark } from './mark.ts'
import { watchAnswer } from './watch.ts'

const { emit } = Server.prototype

Server.prototype.emit = function (this: Server, name: string, ...args: unknown[]) {
  if (name === 'request') {
    const [request, response] = args as Parameters<typeof watchAnswer>
    // On a port of its own, and no part of the API. That the API has no such path, tests in its own process see.
    if (request.url !== '/metrics') {
      watchAnswer(request, response, (text) => process.stderr.write(`${violationMark}${text}\n`))
    }
  }
  return Reflect.apply(emit, this, [name, ...args])
} as typeof emit
