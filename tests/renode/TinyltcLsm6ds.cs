// LSM6DSO and LSM6DS3TR-C as far as data-ready acquisition goes (ST DS12140, chapter 9), for Renode, whose own LSM6DSO has
// neither data-ready nor a STATUS_REG. Samples come from a RESD file at their own times and give back the very codes that
// it was made from (toolchain/emulator/renode/resd.py). Written after Renode's interfaces (1.16.1), not run where this was
// written.
using System;
using System.Collections.Generic;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.I2C;
using Antmicro.Renode.Peripherals.SPI;
using Antmicro.Renode.Time;
using Antmicro.Renode.Utilities;
using Antmicro.Renode.Utilities.RESD;

namespace Antmicro.Renode.Peripherals.Sensors
{
    public class TinyltcLsm6ds : ISPIPeripheral, II2CPeripheral, IUnderstandRESD
    {
        public TinyltcLsm6ds(IMachine machine, byte identity = 0x6C)
        {
            this.machine = machine;
            this.identity = identity;
            DataReady = new GPIO();
            Reset();
        }

        public void Reset()
        {
            // A reset of the machine does not switch the sensor's supply off, but its samples go on as they were.
            Restore();
            FinishTransmission();
        }

        // Units of a code: micro-g (8 g: 244) and 10 micro-radians a second (2,000 degrees a second: 0.070 degrees).
        public void Feed(string path)
        {
            acceleration = this.CreateRESDStream<AccelerationSample>(path, 0);
            rate = this.CreateRESDStream<AngularRateSample>(path, 0);
            acceleration.StartExactSampleFeedThread(this, OnSample);
        }

        public byte Transmit(byte data)
        {
            if(Missing)
            {
                return 0xFF;
            }
            if(address < 0)
            {
                reading = (data & 0x80) != 0;
                address = data & 0x7F;
                return 0xFF;
            }
            byte answer = 0xFF;
            if(reading)
            {
                answer = ReadRegister();
            }
            else
            {
                WriteRegister(data);
            }
            return answer;
        }

        public void Write(byte[] data)
        {
            for(var i = 0; i < data.Length; i++)
            {
                if(i == 0)
                {
                    address = data[i] & 0x7F;
                }
                else
                {
                    WriteRegister(data[i]);
                }
            }
        }

        public byte[] Read(int count = 1)
        {
            var answer = new byte[count];
            for(var i = 0; i < count; i++)
            {
                answer[i] = ReadRegister();
            }
            return answer;
        }

        public void FinishTransmission()
        {
            address = -1;
        }

        public GPIO DataReady { get; }

        public uint Delivered { get; private set; }

        public bool Mute { get; set; }

        public bool Missing { get; set; }

        private void OnSample(AccelerationSample sample, TimeInterval time, RESDStreamStatus status)
        {
            if(status != RESDStreamStatus.OK || rate.TryGetSample((ulong)time.TotalNanoseconds, out var turn) != RESDStreamStatus.OK)
            {
                return;
            }
            if(Mute || Missing || ((registers[Ctrl1Xl] | registers[Ctrl2G]) & 0xF0) == 0)
            {
                return;
            }
            Put(OutXG, turn.AngularRateX, GyroUnit);
            Put(OutXG + 2, turn.AngularRateY, GyroUnit);
            Put(OutXG + 4, turn.AngularRateZ, GyroUnit);
            Put(OutXA, sample.AccelerationX, AccUnit);
            Put(OutXA + 2, sample.AccelerationY, AccUnit);
            Put(OutXA + 4, sample.AccelerationZ, AccUnit);
            registers[Status] |= 3;
            Delivered++;
            if((registers[Int1Ctrl] & 3) != 0)
            {
                DataReady.Set(true);
                machine.ScheduleAction(TimeInterval.FromMicroseconds(PulseMicroseconds), _ => DataReady.Set(false));
            }
        }

        private void Put(int first, int value, double unit)
        {
            var code = (short)Math.Round(value / unit);
            registers[first] = (byte)code;
            registers[first + 1] = (byte)(code >> 8);
        }

        private byte ReadRegister()
        {
            var value = registers[address];
            if(address == OutXG + 1)
            {
                registers[Status] &= 0xFD;
            }
            if(address == OutXA + 1)
            {
                registers[Status] &= 0xFE;
            }
            CountUp();
            return value;
        }

        private void WriteRegister(byte value)
        {
            if(address == Ctrl3C && (value & 1) != 0)
            {
                Restore();
            }
            else if(address != WhoAmI && (address < Status || address > OutXA + 5))
            {
                registers[address] = value;
            }
            CountUp();
        }

        private void CountUp()
        {
            if((registers[Ctrl3C] & 4) != 0)
            {
                address = (address + 1) & 0x7F;
            }
        }

        private void Restore()
        {
            Array.Clear(registers, 0, registers.Length);
            registers[WhoAmI] = identity;
            registers[Ctrl3C] = 4;
            DataReady.Set(false);
        }

        private int address;
        private bool reading;
        private RESDStream<AccelerationSample> acceleration;
        private RESDStream<AngularRateSample> rate;
        private readonly byte[] registers = new byte[0x80];
        private readonly IMachine machine;
        private readonly byte identity;

        private const int Int1Ctrl = 0x0D, WhoAmI = 0x0F, Ctrl1Xl = 0x10, Ctrl2G = 0x11, Ctrl3C = 0x12, Status = 0x1E;
        private const int OutXG = 0x22, OutXA = 0x28;
        private const uint PulseMicroseconds = 75;
        private const double AccUnit = 244.0, GyroUnit = 0.070 * Math.PI / 180.0 * 1e5;
    }
}
