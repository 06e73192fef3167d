// What the system says of files, in words. The bootstrap reads it on Node 20, so it is plain JavaScript.
import { statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'

const reasons = {
  EACCES: forbidden,
  EDQUOT: () => 'your share of the disk is used up: make room',
  EEXIST: () => 'something else is there',
  EIO: () => 'the disk reports an error',
  EISDIR: () => 'it is a folder',
  ELOOP: () => 'symbolic links lead round in a circle',
  EMFILE: () => 'too many files are open: see ulimit -n',
  ENAMETOOLONG: () => 'the name is too long',
  ENFILE: () => 'too many files are open on this machine',
  ENOENT: () => 'there is no such file or folder',
  ENOEXEC: () => 'it is no program for this machine',
  ENOSPC: () => 'the disk is full: make room',
  ENOTDIR: (path) => `${fileIn(path)} is not a folder`,
  EPERM: forbidden,
  EROFS: () => 'the file system is read-only',
}

/** Why a call about a file failed; `undefined` for errors of another kind. */
export function reasonOf(error) {
  if (typeof error?.path !== 'string' || typeof error.syscall !== 'string') return undefined
  return Object.hasOwn(reasons, error.code) ? reasons[error.code](error.path) : undefined
}

/** One sentence about it, with the path; `undefined` for errors of another kind. */
export function fileTrouble(error) {
  const reason = reasonOf(error)
  return reason && `${error.path}: ${reason}`
}

function forbidden(path) {
  const owner = ownerOf(path)
  const whose = owner === undefined ? '' : `; ${owner.path} belongs to ${owner.user}`
  return `user ${nameOf(process.getuid())} may not do that${whose}`
}

/** Of the path, or of what there is of it. */
function ownerOf(path) {
  try {
    const { uid } = statSync(path)
    return { path, user: nameOf(uid) }
  } catch {
    // Not there, or behind a folder that is closed to us: then that one is what matters.
    return dirname(path) === path ? undefined : ownerOf(dirname(path))
  }
}

function nameOf(uid) {
  if (uid === 0) return 'root'
  try {
    const us = userInfo()
    return us.uid === uid ? us.username : String(uid)
  } catch {
    return String(uid) // a container's user need not have a name
  }
}

/** The first part of a path that is there and no folder. */
function fileIn(path) {
  const before = dirname(path)
  return before === path || isThere(before) ? path : fileIn(before)
}

function isThere(path) {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false // what lies behind a file is not there either
  }
}
