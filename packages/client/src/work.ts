// The door '@sekali/client/work', inside the clone and from npm: for workers, so that a page that publishes and reads does
// not load it.
export { LeaseLost } from './worker/job.ts'
export {
  createWorker,
  type Handler,
  type Job,
  type WorkingClient,
  type WorkOptions,
} from './worker/worker.ts'
