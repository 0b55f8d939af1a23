// The PJRT C API as a table: every function's place in the plugin's struct, and the arguments of those that are called
// here. Names and order are those of OpenXLA's pjrt_c_api.h; each argument struct begins with its own size and a pointer
// to extensions.
import { layoutOf, type Fields } from './structs.js';

/** Of the struct PJRT_Api: major and minor version behind size, extensions and the version's own header. */
export const VERSION_OFFSETS = { major: 32, minor: 36 } as const;
/** Where the pointers to functions begin. */
export const FUNCTIONS_OFFSET = 40;

/**
 * Versions of the interface that this table is right for; later minor versions only add at the end. 0.56 put a function in
 * between.
 */
export const MAJOR = 0;
export const OLDEST_MINOR = 57;

/** In the order of the struct. */
export const ORDER: readonly string[] = `
  Error_Destroy Error_Message Error_GetCode Plugin_Initialize Plugin_Attributes Event_Destroy Event_IsReady
  Event_Error Event_Await Event_OnReady Client_Create Client_Destroy Client_PlatformName
  Client_ProcessIndex Client_PlatformVersion Client_Devices Client_AddressableDevices Client_LookupDevice
  Client_LookupAddressableDevice Client_AddressableMemories Client_Compile Client_DefaultDeviceAssignment
  Client_BufferFromHostBuffer DeviceDescription_Id DeviceDescription_ProcessIndex
  DeviceDescription_Attributes DeviceDescription_Kind DeviceDescription_DebugString
  DeviceDescription_ToString Device_GetDescription Device_IsAddressable Device_LocalHardwareId
  Device_AddressableMemories Device_DefaultMemory Device_MemoryStats Memory_Id Memory_Kind
  Memory_DebugString Memory_ToString Memory_AddressableByDevices Executable_Destroy Executable_Name
  Executable_NumReplicas Executable_NumPartitions Executable_NumOutputs
  Executable_SizeOfGeneratedCodeInBytes Executable_GetCostAnalysis Executable_OutputMemoryKinds
  Executable_OptimizedProgram Executable_Serialize LoadedExecutable_Destroy LoadedExecutable_GetExecutable
  LoadedExecutable_AddressableDevices LoadedExecutable_Delete LoadedExecutable_IsDeleted
  LoadedExecutable_Execute Executable_DeserializeAndLoad LoadedExecutable_Fingerprint Buffer_Destroy
  Buffer_ElementType Buffer_Dimensions Buffer_UnpaddedDimensions Buffer_DynamicDimensionIndices
  Buffer_GetMemoryLayout Buffer_OnDeviceSizeInBytes Buffer_Device Buffer_Memory Buffer_Delete
  Buffer_IsDeleted Buffer_CopyToDevice Buffer_ToHostBuffer Buffer_IsOnCpu Buffer_ReadyEvent
  Buffer_UnsafePointer Buffer_IncreaseExternalReferenceCount Buffer_DecreaseExternalReferenceCount
  Buffer_OpaqueDeviceMemoryDataPointer CopyToDeviceStream_Destroy CopyToDeviceStream_AddChunk
  CopyToDeviceStream_TotalBytes CopyToDeviceStream_GranuleSize CopyToDeviceStream_CurrentBytes
  TopologyDescription_Create TopologyDescription_Destroy TopologyDescription_PlatformName
  TopologyDescription_PlatformVersion TopologyDescription_GetDeviceDescriptions
  TopologyDescription_Serialize TopologyDescription_Attributes Compile Executable_OutputElementTypes
  Executable_OutputDimensions Buffer_CopyToMemory Client_CreateViewOfDeviceBuffer Executable_Fingerprint
  Client_TopologyDescription Executable_GetCompiledMemoryStats
`
  .trim()
  .split(/\s+/);

const args = <const F extends Fields>(fields: F) =>
  layoutOf({ struct_size: 'size', extension_start: 'pointer', ...fields });

/** Arguments, inputs and then outputs, of each function that is called. */
export const ARGUMENTS = {
  Error_Destroy: args({ error: 'pointer' }),
  Error_Message: args({ error: 'pointer', message: 'pointer', message_size: 'size' }),
  Error_GetCode: args({ error: 'pointer', code: 'int' }),
  Plugin_Initialize: args({}),
  Event_Destroy: args({ event: 'pointer' }),
  Event_Await: args({ event: 'pointer' }),
  Client_Create: args({
    create_options: 'pointer',
    num_options: 'size',
    kv_get_callback: 'pointer',
    kv_get_user_arg: 'pointer',
    kv_put_callback: 'pointer',
    kv_put_user_arg: 'pointer',
    client: 'pointer',
    kv_try_get_callback: 'pointer',
    kv_try_get_user_arg: 'pointer',
  }),
  Client_Destroy: args({ client: 'pointer' }),
  Client_PlatformName: args({ client: 'pointer', platform_name: 'pointer', platform_name_size: 'size' }),
  Client_PlatformVersion: args({
    client: 'pointer',
    platform_version: 'pointer',
    platform_version_size: 'size',
  }),
  Client_AddressableDevices: args({
    client: 'pointer',
    addressable_devices: 'pointer',
    num_addressable_devices: 'size',
  }),
  Client_Compile: args({
    client: 'pointer',
    program: 'pointer',
    compile_options: 'pointer',
    compile_options_size: 'size',
    executable: 'pointer',
  }),
  Client_BufferFromHostBuffer: args({
    client: 'pointer',
    data: 'pointer',
    type: 'int',
    dims: 'pointer',
    num_dims: 'size',
    byte_strides: 'pointer',
    num_byte_strides: 'size',
    host_buffer_semantics: 'int',
    device: 'pointer',
    memory: 'pointer',
    device_layout: 'pointer',
    done_with_host_buffer: 'pointer',
    buffer: 'pointer',
  }),
  DeviceDescription_Kind: args({
    device_description: 'pointer',
    device_kind: 'pointer',
    device_kind_size: 'size',
  }),
  Device_GetDescription: args({ device: 'pointer', device_description: 'pointer' }),
  Executable_Destroy: args({ executable: 'pointer' }),
  Executable_NumOutputs: args({ executable: 'pointer', num_outputs: 'size' }),
  Executable_Serialize: args({
    executable: 'pointer',
    serialized_bytes: 'pointer',
    serialized_bytes_size: 'size',
    serialized_executable: 'pointer',
    serialized_executable_deleter: 'pointer',
  }),
  Executable_DeserializeAndLoad: args({
    client: 'pointer',
    serialized_executable: 'pointer',
    serialized_executable_size: 'size',
    loaded_executable: 'pointer',
    overridden_serialized_compile_options: 'pointer',
    overridden_serialized_compile_options_size: 'size',
  }),
  Executable_GetCompiledMemoryStats: args({
    executable: 'pointer',
    generated_code_size_in_bytes: 'int64',
    argument_size_in_bytes: 'int64',
    output_size_in_bytes: 'int64',
    alias_size_in_bytes: 'int64',
    temp_size_in_bytes: 'int64',
    host_generated_code_size_in_bytes: 'int64',
    host_argument_size_in_bytes: 'int64',
    host_output_size_in_bytes: 'int64',
    host_alias_size_in_bytes: 'int64',
    host_temp_size_in_bytes: 'int64',
    peak_memory_in_bytes: 'int64',
    total_size_in_bytes: 'int64',
    total_allocation_bytes: 'int64',
    indefinite_allocations: 'int64',
    peak_unpadded_heap_bytes: 'int64',
  }),
  TopologyDescription_Create: args({
    topology_name: 'pointer',
    topology_name_size: 'size',
    create_options: 'pointer',
    num_options: 'size',
    topology: 'pointer',
  }),
  TopologyDescription_Destroy: args({ topology: 'pointer' }),
  Compile: args({
    topology: 'pointer',
    program: 'pointer',
    compile_options: 'pointer',
    compile_options_size: 'size',
    client: 'pointer',
    executable: 'pointer',
  }),
  LoadedExecutable_Destroy: args({ executable: 'pointer' }),
  LoadedExecutable_GetExecutable: args({ loaded_executable: 'pointer', executable: 'pointer' }),
  LoadedExecutable_Execute: args({
    executable: 'pointer',
    options: 'pointer',
    argument_lists: 'pointer',
    num_devices: 'size',
    num_args: 'size',
    output_lists: 'pointer',
    device_complete_events: 'pointer',
    execute_device: 'pointer',
  }),
  Buffer_Destroy: args({ buffer: 'pointer' }),
  Buffer_Dimensions: args({ buffer: 'pointer', dims: 'pointer', num_dims: 'size' }),
  Buffer_ToHostBuffer: args({
    src: 'pointer',
    host_layout: 'pointer',
    dst: 'pointer',
    dst_size: 'size',
    event: 'pointer',
  }),
} as const;

export type Called = keyof typeof ARGUMENTS;

/** Structs that arguments point to. */
export const STRUCTS = {
  Program: args({ code: 'pointer', code_size: 'size', format: 'pointer', format_size: 'size' }),
  ExecuteOptions: args({
    send_callbacks: 'pointer',
    recv_callbacks: 'pointer',
    num_send_ops: 'size',
    num_recv_ops: 'size',
    launch_id: 'int',
    non_donatable_input_indices: 'pointer',
    num_non_donatable_input_indices: 'size',
    context: 'pointer',
    call_location: 'pointer',
    num_tasks: 'size',
    task_ids: 'pointer',
    incarnation_ids: 'pointer',
  }),
  /** Of the kind that names the order of axes (tiled; 0), without tiles. */
  MemoryLayout: args({
    tiled_struct_size: 'size',
    tiled_extension_start: 'pointer',
    minor_to_major: 'pointer',
    minor_to_major_size: 'size',
    tile_dims: 'pointer',
    tile_dim_sizes: 'pointer',
    num_tiles: 'size',
    type: 'int',
  }),
  NamedValue: args({
    name: 'pointer',
    name_size: 'size',
    type: 'int',
    value: 'int64',
    value_size: 'size',
  }),
} as const;

/** PJRT_Buffer_Type of the types that graphs use. */
export const BUFFER_TYPE = { bool: 1, int32: 4, int64: 5, float32: 11 } as const;
/** PJRT_NamedValue_Type. */
export const NAMED_VALUE = { string: 0, int64: 1, float: 3, bool: 4 } as const;
/**
 * PJRT_HostBufferSemantics: the memory may change again when the call has returned. On a GPU the copy to the device itself
 * begins when what runs there has ended; to wait for that would hold a thread for each array, and Node has few.
 */
export const DURING_CALL = 0;
/**
 * PJRT_Error_Code: of an allocation that the device refuses, and of what is no fault of the caller (unknown, aborted,
 * internal, unavailable, data loss).
 */
export const ERROR_CODE = { resourceExhausted: 8, lost: [2, 10, 13, 14, 15] as readonly number[] } as const;
