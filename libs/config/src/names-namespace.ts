/**
 * True when a device in `scm_list` names this namespace: by its block device, its uuid (`uuid:...`), or udev's link
 * `/dev/disk/by-id/pmem-UUID`.
 */
export function namesNamespace(
  name: string,
  namespace: { readonly device: string; readonly uuid?: string | undefined },
): boolean {
  const { device, uuid = "" } = namespace;
  if (name === device) return true;
  const [, named] = /^(?:uuid:|\/dev\/disk\/by-id\/pmem-)(.+)$/.exec(name) ?? [];
  return uuid !== "" && named?.toLowerCase() === uuid.toLowerCase();
}
