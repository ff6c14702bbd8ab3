/**
 * Every fault code of the control plane, in blocks of one domain each.
 *
 * The numbers 0, 1, 102-105, 206, 207, 308, 309 and 910 are those of DAOS 0.8.0 and never change. New codes go to the
 * end of their block, with an entry in {@link ./registry.ts}, and are never reused. 1000-2999 are the error numbers of
 * the data plane itself ({@link ./daos-status.ts}).
 *
 * @see DAOS 0.8.0 src/control/fault/code/codes.go
 */
export const FaultCode = {
  // general: 0-99
  unknown: 0,
  missingSoftwareDependency: 1,
  usage: 2,
  timedOut: 3,
  cancelled: 4,
  internal: 5,
  processNotStarted: 6,
  requestInvalid: 7,
  requestTooLarge: 8,

  // storage: 100-199
  storageUnknown: 102,
  storageAlreadyFormatted: 103,
  storageFilesystemAlreadyMounted: 104,
  storageDeviceAlreadyMounted: 105,
  storageNotMounted: 110,
  storageFormatOnRunningSystem: 111,
  storageNotPrivileged: 112,
  storageFormatNotAwaited: 113,
  storageLost: 114,

  // scm: 200-299
  scmUnknown: 206,
  scmFormatInvalidParameter: 207,
  scmMissingDevice: 208,
  scmDeviceUnreadable: 209,
  scmMountFailed: 210,
  scmFormatFailed: 211,
  scmToolFailed: 212,
  scmPrepareFailed: 213,
  scmWithoutDax: 214,
  scmNamespaceMissing: 215,

  // bdev: 300-399
  bdevUnknown: 308,
  bdevFormatInvalidParameter: 309,
  bdevFileNoSpace: 310,
  bdevFileFailed: 311,
  bdevMissingDevice: 312,
  bdevFormatFailed: 313,
  bdevToolFailed: 314,
  bdevInUse: 315,
  bdevBindFailed: 316,
  bdevHugepagesShort: 317,
  bdevBurnInFailed: 318,
  bdevSpdkFailed: 319,
  bdevVanished: 320,
  bdevHoldsData: 321,

  // network: 400-499
  networkUnknownInterface: 400,
  networkUnsupportedProvider: 401,
  networkOtherNumaNode: 402,
  networkInterfaceUnusable: 403,

  // config: 500-599
  configNotFound: 500,
  configUnreadable: 501,
  configInvalid: 502,
  configUnknownKey: 503,
  logFileUnusable: 504,

  // superblock: 600-699
  superblockUnreadable: 600,
  superblockMalformed: 601,
  superblockOtherSystem: 602,
  superblockNewerVersion: 603,
  superblockMissing: 604,
  superblockUnwritable: 605,

  // engine and dRPC: 700-799
  engineNotFound: 700,
  engineStartFailed: 701,
  engineExited: 702,
  engineNotReady: 703,
  engineNotRunning: 704,
  drpcSocketDirectory: 720,
  drpcSocketBusy: 721,
  drpcConnect: 722,
  drpcMessageTooLong: 723,
  drpcConnectionLost: 724,
  drpcCallFailed: 725,
  drpcMalformed: 726,
  drpcPeerStalled: 727,

  // system: 800-899
  listenAddressBusy: 800,
  notLeader: 801,
  notAccessPoint: 802,
  memberUnknown: 803,
  memberConflict: 804,
  engineNotHere: 805,
  otherSystem: 806,
  accessPointUnresolved: 807,
  memberStoreUnusable: 808,
  systemNotReady: 809,
  leadershipLost: 810,
  memberExcluded: 811,
  memberRunning: 812,
  electionUnreachable: 814,
  memberElsewhere: 815,
  membersInUse: 816,
  membersNotMovable: 817,
  membersLeftBehind: 818,
  membersMoved: 819,
  accessPointLoopback: 820,
  storageInUse: 821,
  memberUnreadable: 822,
  systemFull: 823,
  memberStoreReplaced: 824,
  stateNotRecorded: 825,
  poolServiceDown: 840,
  providerMismatch: 830,
  faultCallbackFailed: 831,

  // security: 900-999
  securityUnknown: 910,
  securityFileMissing: 911,
  securityFileUnreadable: 912,
  securityFileMode: 913,
  securityFileMalformed: 914,
  securityKeyMismatch: 915,
  certificateExpired: 916,
  certificateNotYetValid: 917,
  certificateWrongAuthority: 918,
  certificateWrongName: 919,
  certificateWrongRole: 920,
  certificateMissing: 921,
  plainTextPeer: 922,
  notAuthorized: 923,
  credentialInvalid: 924,
  tlsFailed: 925,
  certificateTooWeak: 926,
  certificateAuthorityExists: 927,
  connectionLimit: 928,
  certificateRevoked: 929,
  revocationListUnusable: 930,
  addressesUnknown: 931,

  // helper: 3000-3099
  helperUnavailable: 3000,
  helperRefused: 3001,
  helperFailed: 3002,
  helperMalformed: 3003,
  helperUnknownRequest: 3004,
  helperPolicyInvalid: 3005,
  helperUntrustedPath: 3006,
  helperAuditFailed: 3007,
  helperInstallFailed: 3008,
  helperBusy: 3009,

  // client: 3100-3199
  connectionRefused: 3100,
  connectionFailed: 3101,
  hostsFailed: 3102,
  hostlistInvalid: 3103,
  rankInvalid: 3104,
  hostUnknown: 3105,
  hostUnreachable: 3106,
  connectionLost: 3107,
  certificateRefused: 3108,
  notDaosServer: 3109,
  requestUnsupported: 3110,
  sizeInvalid: 3111,
  aclInvalid: 3112,
  serviceUnknown: 3140,
} as const;

export type FaultCode = (typeof FaultCode)[keyof typeof FaultCode];
