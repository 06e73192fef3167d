/** Projections in words. */
import type { NotLoadedFile, ProjectionError, ProjectionInfo } from '@sekali/client'
import type { Tone } from '../../components/basics.tsx'

type FileTrouble = NotLoadedFile['error']

export const tones: Readonly<Record<ProjectionInfo['status'], Tone>> = {
  live: 'ok',
  building: 'accent',
  failed: 'problem',
  orphaned: 'warning',
  not_loaded: 'problem',
}

export const statusWords: Readonly<Record<ProjectionInfo['status'], string>> = {
  live: 'live',
  building: 'building',
  failed: 'failed',
  orphaned: 'nobody folds it',
  not_loaded: 'does not load',
}

export const isOfEvent = (error: ProjectionError | FileTrouble): error is ProjectionError => 'topic' in error
